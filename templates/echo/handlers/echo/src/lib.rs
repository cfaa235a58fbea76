//! The starter echo.

//! The starter chat.

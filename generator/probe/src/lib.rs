//! A WebSocket client that connects as a caller of a stack, reads what browsers hide, and explains what it saw.

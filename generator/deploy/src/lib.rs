//! Redeploys stages: what to deploy, activating it, verifying, rolling back and pruning. Its ports are traits; it knows no SDK.

//! The adapters through which `stackgen-deploy` reaches AWS. The only generator crate that knows the SDK.

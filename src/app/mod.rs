//! Floor 3: use cases. A request in, an outcome out; nothing here prints.

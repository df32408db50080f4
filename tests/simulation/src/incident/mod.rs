//! The five incidents of comparable systems, played against dunlin.

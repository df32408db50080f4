//! Whole stories, from a call to a mail: real handlers, virtual time.

mod welcome;

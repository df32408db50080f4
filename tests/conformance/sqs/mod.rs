//! SQS: the rules of sending and receiving, of batches, dead letters and FIFO queues.

pub(crate) mod batches;
pub(crate) mod dead_letters;
pub(crate) mod fifo_ids;
pub(crate) mod fifo_order;
pub(crate) mod receipts;
pub(crate) mod receiving;
pub(crate) mod sending;

//! Payments: money that comes for orders and goes back.
mod event;
mod gateway;
mod mock;
mod objects;
mod signature;
mod stripe;
mod wire;

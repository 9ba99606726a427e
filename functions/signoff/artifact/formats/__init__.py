"""The formats that models are written in, each looked into as a stream."""

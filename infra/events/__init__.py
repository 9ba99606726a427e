"""Event routing: buses, rules, queues, topics."""

"""What goes where: buses, rules, queues, topics."""

"""What documents are made of: JSON read strictly and written canonically, faults by path, times, and text of others."""

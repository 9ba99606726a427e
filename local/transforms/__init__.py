"""What runs transform jobs: containers, which are processes here, and the records that they are sent."""

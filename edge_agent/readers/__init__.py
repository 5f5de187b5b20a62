"""What reads tags: serial ports, Bluetooth, replay files; and what keeps them running."""

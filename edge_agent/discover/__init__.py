"""What is plugged in and what is in the air: behind `biotrakr-edge discover`."""

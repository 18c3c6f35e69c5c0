"""What the services stand on when one machine has to be enough."""

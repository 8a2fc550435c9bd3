"""Published methods and controls, one readable file each."""

"""Published methods and controls, one file each."""

"""What all rooms share: errors, files, settings, seeds and the grid."""

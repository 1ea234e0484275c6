"""What each task of a Dag does; a module is called like its task."""

// PruningMethods

"""The index inside this process: the Qdrant engine as a library, one writer, readers on published copies."""

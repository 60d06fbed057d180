"""Several persons who label: their names, what each said, how far they agree, and how they compare with the model."""

"""Finding cells: methods behind one interface (`method`), their choices (`settings`), and what they are made of."""

"""Training and prediction: recipes, networks, models. No window here; torch is loaded by the first training only."""

"""Networks that restore or make items: anomaly scores, pre-training, synthetic items of rare labels."""

"""Waves of an ECG: where each P wave, QRS complex and T wave begins and ends."""

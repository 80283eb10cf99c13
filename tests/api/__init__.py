"""Tests of the API and the dashboard, over a seeded datamart in a real PostgreSQL."""

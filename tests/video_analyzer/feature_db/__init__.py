"""Tests of the vector store for people."""

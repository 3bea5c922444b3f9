"""Tests of sigmapack: unit, golden, behaviour on engines, and the command line as a subprocess."""

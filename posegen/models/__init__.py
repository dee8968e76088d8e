"""Generators and discriminators of both architectures."""

from posegen.models.build import build_discriminator, build_generator
from posegen.models.discriminator import Discriminator
from posegen.models.generator import Generator

__all__ = ["Discriminator", "Generator", "build_discriminator", "build_generator"]

"""The encryption between organizations, under the name that the user's manual gives it."""

from vantage6.common.encryption import SEPARATOR, CryptorBase, DummyCryptor, RSACryptor

__all__ = ["SEPARATOR", "CryptorBase", "DummyCryptor", "RSACryptor"]

"""A folder of documents, asked for the passages that answer a question."""

from integrations.knowledge.documents import KnowledgeError
from integrations.knowledge.knowledge import Knowledge

__all__ = ["Knowledge", "KnowledgeError"]

"""What is free where: the domain of Freiplatz, without any HTTP.

provider push → validate → Postgres → Redis → read model (one per worker) → SSE → viewer.
"""

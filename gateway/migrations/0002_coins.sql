-- The coin that a key spends.
ALTER TABLE keys ADD COLUMN denom TEXT NOT NULL DEFAULT 'ulode';

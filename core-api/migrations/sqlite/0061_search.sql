-- Names as they are searched. SQLite folds ASCII alone; the next edit of a name folds the rest.
ALTER TABLE product ADD COLUMN name_folded TEXT NOT NULL DEFAULT '';
UPDATE product SET name_folded = lower(name);

-- Names as they are searched.
ALTER TABLE product ADD COLUMN name_folded text COLLATE "C" NOT NULL DEFAULT '';
UPDATE product SET name_folded = lower(name);

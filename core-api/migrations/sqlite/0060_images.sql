-- Images of products. The files are named after `key`, which is random, and are kept elsewhere.

CREATE TABLE product_image (
    id BLOB NOT NULL PRIMARY KEY CHECK (length(id) = 16),
    product_id BLOB NOT NULL REFERENCES product (id),
    key BLOB NOT NULL UNIQUE CHECK (length(key) = 16),
    media_type TEXT NOT NULL CHECK (media_type IN ('image/jpeg', 'image/png', 'image/webp')),
    width INTEGER NOT NULL CHECK (width BETWEEN 1 AND 4000),
    height INTEGER NOT NULL CHECK (height BETWEEN 1 AND 4000),
    thumbnail_width INTEGER NOT NULL CHECK (thumbnail_width BETWEEN 1 AND 800),
    thumbnail_height INTEGER NOT NULL CHECK (thumbnail_height BETWEEN 1 AND 600),
    alt TEXT NOT NULL CHECK (length(alt) <= 300),
    created_at INTEGER NOT NULL
) STRICT, WITHOUT ROWID;

CREATE INDEX product_image_by_product ON product_image (product_id, id);

-- Files to be removed: of images that are gone, and of uploads that have not ended yet.
CREATE TABLE image_removal (
    key BLOB NOT NULL PRIMARY KEY CHECK (length(key) = 16),
    due_at INTEGER NOT NULL
) STRICT, WITHOUT ROWID;

CREATE INDEX image_removal_by_due ON image_removal (due_at);

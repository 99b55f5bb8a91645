-- Images of products: migrations/sqlite 60, where the columns are explained.

CREATE TABLE product_image (
    id uuid PRIMARY KEY,
    product_id uuid NOT NULL REFERENCES product (id),
    key bytea NOT NULL UNIQUE CHECK (length(key) = 16),
    media_type text COLLATE "C" NOT NULL
        CHECK (media_type IN ('image/jpeg', 'image/png', 'image/webp')),
    width bigint NOT NULL CHECK (width BETWEEN 1 AND 4000),
    height bigint NOT NULL CHECK (height BETWEEN 1 AND 4000),
    thumbnail_width bigint NOT NULL CHECK (thumbnail_width BETWEEN 1 AND 800),
    thumbnail_height bigint NOT NULL CHECK (thumbnail_height BETWEEN 1 AND 600),
    alt text NOT NULL CHECK (length(alt) <= 300),
    created_at bigint NOT NULL
);

CREATE INDEX product_image_by_product ON product_image (product_id, id);

CREATE TABLE image_removal (
    key bytea PRIMARY KEY CHECK (length(key) = 16),
    due_at bigint NOT NULL
);

CREATE INDEX image_removal_by_due ON image_removal (due_at);

UPDATE store_meta SET generation = $generation

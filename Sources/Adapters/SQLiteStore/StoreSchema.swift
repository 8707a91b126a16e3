import Core
package import SQLite

/// The tables and their history. A released step is never changed; add another.
package enum StoreSchema {
  /// "QRRY": says in the file's header whose it is.
  static let applicationID: Int32 = 0x5152_5259

  package static let schema = Schema(
    applicationID: applicationID, name: "Quarry store",
    migrations: [
      Migration("tables of the index, jobs, caches, conversations and keys", sql: first),
      Migration("what a key allows, and the document of a job", sql: second),
      Migration("damage of files, use of cached embeddings", sql: damageAndUse),
      Migration("marks of pages whose text was read from their image", sql: recognition),
      Migration("codes of vectors and lengths of texts for searches", sql: sketches),
    ])

  /// Throws when the file has tables that are not ours: nothing was written to it yet.
  static func refuseForeign(_ connection: Connection) throws {
    // In one snapshot: another process may be making the tables.
    let (owner, tables) = try connection.transaction(.deferred) {
      (
        try connection.pragma("application_id"),
        try connection.first("SELECT count(*) FROM sqlite_schema") { $0.int(0) } ?? 0
      )
    }
    guard owner != Int64(applicationID) else { return }
    guard owner == 0, tables == 0 else {
      throw StoreError.foreign(connection.path, "its application id is \(owner)")
    }
  }

  /// Version 1. Times are seconds since 1970, JSON is text.
  ///
  /// A document has one revision for each embedding space that it was committed to; chunks, vectors and filters hang
  /// on the revision, so a rebuild never touches what is searched meanwhile. A text is the extraction of one content
  /// under one pipeline version and is shared by all revisions that have exactly it. Chunk keys of a revision are
  /// consecutive. The full-text tables are made per space (see `Space`), so that their statistics are the space's own
  /// and dropping a space is quick.
  private static let first = """
    CREATE TABLE spaces (
      key INTEGER PRIMARY KEY AUTOINCREMENT,
      canonical TEXT NOT NULL UNIQUE,
      identity TEXT NOT NULL,
      dimension INTEGER NOT NULL,
      scalar TEXT NOT NULL CHECK (scalar IN ('f16'))
    );
    CREATE TABLE store (
      id INTEGER PRIMARY KEY CHECK (id = 1),
      version INTEGER NOT NULL,
      active_space INTEGER REFERENCES spaces (key)
    );
    INSERT INTO store VALUES (1, 0, NULL);
    CREATE TABLE changes (
      sequence INTEGER PRIMARY KEY AUTOINCREMENT,
      version INTEGER NOT NULL,
      kind TEXT NOT NULL,
      document TEXT,
      space INTEGER,
      revision INTEGER
    );
    CREATE INDEX changes_by_version ON changes (version);

    CREATE TABLE collections (key INTEGER PRIMARY KEY, name TEXT NOT NULL UNIQUE);
    CREATE TABLE documents (
      key INTEGER PRIMARY KEY AUTOINCREMENT,
      id TEXT NOT NULL UNIQUE,
      collection INTEGER NOT NULL REFERENCES collections (key),
      uri TEXT NOT NULL,
      generation INTEGER NOT NULL,
      version TEXT NOT NULL,
      stamp TEXT NOT NULL,
      UNIQUE (collection, uri)
    );
    CREATE TABLE origins (
      collection TEXT NOT NULL,
      uri TEXT NOT NULL,
      next_generation INTEGER NOT NULL,
      PRIMARY KEY (collection, uri)
    ) WITHOUT ROWID;
    CREATE TABLE tombstones (
      collection TEXT NOT NULL,
      uri TEXT NOT NULL,
      document TEXT NOT NULL,
      generation INTEGER NOT NULL,
      version TEXT NOT NULL,
      stamp TEXT NOT NULL,
      pipeline TEXT NOT NULL,
      identity TEXT NOT NULL,
      deleted REAL NOT NULL,
      PRIMARY KEY (collection, uri)
    );

    CREATE TABLE texts (
      key INTEGER PRIMARY KEY AUTOINCREMENT,
      digest BLOB NOT NULL UNIQUE,
      version TEXT NOT NULL,
      pipeline TEXT NOT NULL,
      page_count INTEGER NOT NULL,
      coverage TEXT NOT NULL,
      unreadable INTEGER NOT NULL,
      outline TEXT NOT NULL
    );
    CREATE INDEX texts_by_version ON texts (version, pipeline);
    CREATE TABLE pages (
      key INTEGER PRIMARY KEY,
      text INTEGER NOT NULL REFERENCES texts (key) ON DELETE CASCADE,
      number INTEGER NOT NULL,
      coverage TEXT NOT NULL,
      reason TEXT,
      label TEXT,
      width REAL NOT NULL,
      height REAL NOT NULL,
      content TEXT NOT NULL,
      blocks BLOB NOT NULL,
      boxes BLOB NOT NULL,
      UNIQUE (text, number)
    );

    CREATE TABLE revisions (
      key INTEGER PRIMARY KEY AUTOINCREMENT,
      document INTEGER NOT NULL REFERENCES documents (key) ON DELETE CASCADE,
      space INTEGER NOT NULL REFERENCES spaces (key),
      text INTEGER NOT NULL REFERENCES texts (key),
      version TEXT NOT NULL,
      pipeline TEXT NOT NULL,
      first_chunk INTEGER NOT NULL,
      chunk_count INTEGER NOT NULL,
      page_count INTEGER NOT NULL,
      byte_count INTEGER NOT NULL,
      state TEXT NOT NULL,
      reason TEXT,
      title TEXT,
      author TEXT,
      created REAL,
      modified REAL,
      attributes TEXT NOT NULL,
      indexed REAL NOT NULL,
      UNIQUE (document, space)
    );
    CREATE INDEX revisions_by_space ON revisions (space);
    CREATE INDEX revisions_by_text ON revisions (text);
    CREATE TABLE attributes (
      revision INTEGER NOT NULL REFERENCES revisions (key) ON DELETE CASCADE,
      name TEXT NOT NULL,
      value TEXT NOT NULL,
      PRIMARY KEY (revision, name)
    ) WITHOUT ROWID;
    CREATE TABLE chunks (
      key INTEGER PRIMARY KEY AUTOINCREMENT,
      revision INTEGER NOT NULL REFERENCES revisions (key) ON DELETE CASCADE,
      ordinal INTEGER NOT NULL,
      id TEXT NOT NULL,
      text_hash TEXT NOT NULL,
      low_value INTEGER NOT NULL,
      pages TEXT NOT NULL,
      headings TEXT NOT NULL,
      prefix TEXT NOT NULL,
      content TEXT NOT NULL,
      embedded TEXT,
      UNIQUE (revision, ordinal)
    );
    CREATE INDEX chunks_by_id ON chunks (id);
    CREATE TABLE vectors (
      chunk INTEGER PRIMARY KEY REFERENCES chunks (key) ON DELETE CASCADE,
      norm REAL NOT NULL,
      vector BLOB NOT NULL
    );

    CREATE TABLE cached_identities (key INTEGER PRIMARY KEY, canonical TEXT NOT NULL UNIQUE);
    CREATE TABLE embedding_cache (
      identity INTEGER NOT NULL REFERENCES cached_identities (key),
      text_hash TEXT NOT NULL,
      norm REAL NOT NULL,
      vector BLOB NOT NULL,
      UNIQUE (identity, text_hash)
    );

    CREATE TABLE jobs (
      key INTEGER PRIMARY KEY AUTOINCREMENT,
      collection TEXT NOT NULL,
      uri TEXT NOT NULL,
      stamp TEXT NOT NULL,
      state TEXT NOT NULL,
      attempts INTEGER NOT NULL,
      next_try REAL,
      error_code TEXT,
      error TEXT,
      lease_owner TEXT,
      lease_until REAL,
      stages TEXT NOT NULL,
      updated REAL NOT NULL,
      UNIQUE (collection, uri)
    );
    CREATE INDEX jobs_by_state ON jobs (state, key);

    CREATE TABLE turns (
      key INTEGER PRIMARY KEY AUTOINCREMENT,
      caller TEXT NOT NULL,
      conversation TEXT NOT NULL,
      role TEXT NOT NULL,
      content TEXT NOT NULL,
      time REAL NOT NULL
    );
    CREATE INDEX turns_by_conversation ON turns (caller, conversation, key);

    CREATE TABLE api_keys (
      id TEXT PRIMARY KEY,
      label TEXT NOT NULL,
      hash TEXT NOT NULL UNIQUE,
      collections TEXT,
      created REAL NOT NULL,
      revoked REAL
    );
    """

  /// Version 2. Keys made before may do what they always could.
  private static let second = """
    ALTER TABLE api_keys ADD COLUMN permission TEXT NOT NULL DEFAULT 'write';
    ALTER TABLE jobs ADD COLUMN document TEXT;
    CREATE INDEX jobs_by_document ON jobs (document) WHERE document IS NOT NULL;
    """

  /// Version 3. `damage` is what the reader found wrong with a file as a whole; until now it was only part of the
  /// reason why a document is not ready. `used` is the day, since 1970, on which a cached embedding was used last.
  private static let damageAndUse = """
    ALTER TABLE texts ADD COLUMN damage TEXT;
    UPDATE texts SET damage = (
      SELECT CASE WHEN instr(r.reason, ' Also, ') > 0 THEN substr(r.reason, 1, instr(r.reason, ' Also, ') - 1)
        WHEN texts.unreadable = 0 AND r.state = 'incomplete' THEN r.reason END
      FROM revisions r WHERE r.text = texts.key ORDER BY r.key DESC LIMIT 1);
    ALTER TABLE embedding_cache ADD COLUMN used INTEGER NOT NULL DEFAULT 0;
    UPDATE embedding_cache SET used = unixepoch() / 86400;
    CREATE INDEX embedding_cache_by_use ON embedding_cache (used);
    """

  /// Who read a page's text from its image, and with which confidence (0 to 1); null for text of the file itself.
  private static let recognition = """
    ALTER TABLE pages ADD COLUMN recognizer TEXT;
    ALTER TABLE pages ADD COLUMN recognition_confidence REAL;
    """

  /// Version 5. `centre` is what codes are taken about (binary32), null while a space has few vectors. `sketched` is the
  /// last revision of a space whose sketch was looked at, null when nothing is left to be made; see `SketchBacklog`.
  private static let sketches = """
    ALTER TABLE spaces ADD COLUMN centre BLOB;
    ALTER TABLE spaces ADD COLUMN sketched INTEGER;
    CREATE TABLE sketches (
      revision INTEGER PRIMARY KEY REFERENCES revisions (key) ON DELETE CASCADE,
      codes BLOB,
      word_counts BLOB NOT NULL,
      gram_counts BLOB
    );
    UPDATE spaces SET sketched = 0;
    CREATE INDEX attributes_by_value ON attributes (name, value);
    """
}

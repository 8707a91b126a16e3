import Core

/// Mappings and settings of the indices, as docs/opensearch.md states them.
enum IndexDesign {
  /// Raised when a mapping changes; stands in each index's `_meta`.
  static let version = 1

  private static let keyword: JSON = ["type": "keyword"]
  private static let long: JSON = ["type": "long"]
  private static let double: JSON = ["type": "double"]
  /// Kept as sent, not indexed.
  private static let opaque: JSON = ["type": "object", "enabled": false]

  /// The body that makes one of the fixed indices.
  static func fixed(_ name: String, _ names: IndexNames, _ configuration: OpenSearchConfiguration) -> JSON {
    let properties: JSON
    switch name {
    case names.control: properties = ["record": opaque]
    case names.documents:
      properties = [
        "id": keyword, "collection": keyword, "uri": keyword, "content": keyword, "space": keyword, "record": opaque,
      ]
    case names.places:
      properties = ["collection": keyword, "uri": keyword, "tombstone": keyword, "record": opaque]
    case names.pages:
      properties = [
        "vn": long, "space": keyword, "document": keyword, "number": long, "coverage": keyword, "record": opaque,
      ]
    case names.jobs:
      properties = [
        "collection": keyword, "uri": keyword, "document": keyword, "state": keyword, "due": double, "queued": double,
        "ordinal": long, "updated": double, "record": opaque,
      ]
    case names.embeddings: properties = ["identity": keyword, "used": double, "record": opaque]
    case names.turns:
      properties = ["conversation": keyword, "time": double, "ordinal": long, "record": opaque]
    default: properties = ["created": double, "record": opaque]
    }
    return body(settings: settings(shards: 1, configuration), properties: properties)
  }

  /// The body that makes the index of a space's chunks.
  /// - Parameter derivesSource: Whether vectors are kept once and shown in the source from there: 2.19 and later.
  static func chunks(
    dimension: Int, space: KNNSpace, _ configuration: OpenSearchConfiguration, derivesSource: Bool
  ) -> JSON {
    var vector: [(String, JSON)] = [
      ("type", "knn_vector"), ("dimension", .int(dimension)),
      (
        "method",
        [
          "name": "hnsw", "engine": .string(configuration.engine.rawValue), "space_type": .string(space.rawValue),
          "parameters": [
            "m": .int(configuration.graphDegree), "ef_construction": .int(configuration.constructionDepth),
          ],
        ]
      ),
    ]
    // Else the floats are stored twice. Measured: half the bytes of a chunk.
    if derivesSource { vector.append(("doc_values", false)) }
    var knn: [(String, JSON)] = [("index.knn", true)]
    if derivesSource { knn.append(("index.knn.derived_source.enabled", true)) }
    let words: JSON = .object(
      [("type", "text"), ("analyzer", "quarry_words")]
        + (configuration.languages.isEmpty
          ? []
          : [
            (
              "fields",
              .object(
                configuration.languages.map { ($0, ["type": "text", "analyzer": .string($0)]) })
            )
          ]))
    let properties: JSON = [
      "vn": long, "chunk": keyword, "document": keyword, "collection": keyword, "ordinal": long,
      "attributes": keyword, "hash": keyword, "words": words, "grams": ["type": "text", "analyzer": "quarry_grams"],
      "vector": .object(vector), "record": opaque,
    ]
    // The n-grams follow from the words.
    return body(
      settings: settings(shards: configuration.shards, configuration).adding(knn).adding([("analysis", analysis)]),
      properties: properties, source: ["excludes": ["grams"]])
  }

  /// Words of any script with letters put together by spaces: lower case, without diacritics, English endings taken
  /// off, as the embedded store's index does it.
  private static let analysis: JSON = [
    "analyzer": [
      "quarry_words": [
        "type": "custom", "tokenizer": "standard", "filter": ["lowercase", "asciifolding", "porter_stem"],
      ],
      "quarry_grams": ["type": "custom", "tokenizer": "whitespace"],
    ]
  ]

  private static func settings(shards: Int, _ configuration: OpenSearchConfiguration) -> JSON {
    let copies: (String, JSON) =
      configuration.replicas.map { ("index.number_of_replicas", .int($0)) } ?? ("index.auto_expand_replicas", "0-1")
    return .object([("index.number_of_shards", .int(shards)), copies])
  }

  private static func body(settings: JSON, properties: JSON, source: JSON? = nil) -> JSON {
    let mappings: [(String, JSON)] = [
      ("dynamic", "strict"), ("_meta", ["quarry": ["version": .int(version)]]), ("properties", properties),
    ]
    return ["settings": settings, "mappings": .object(mappings + (source.map { [("_source", $0)] } ?? []))]
  }

  /// How an attribute stands in the index: exact, and of bounded length.
  static func attribute(_ name: String, _ value: String) -> String {
    let text = "\(name.utf8.count):\(name)=\(value)"
    return text.utf8.count <= 512 ? text : "sha256:" + RecordID.of(name, value)
  }
}

import Answering
import Configuration
import Core
import Foundation
import Service
import Testing

@Suite struct LoadedConfigurationTests {
  private let environment = ["HOME": "/home/none"]

  @Test func theDefaultFileSaysWhatTheProgramDoesWithoutIt() throws {
    let reader = try ConfigurationReader(environmentPrefix: "QUARRY_")
    _ = Settings(reader, environment: environment)
    try reader.finish()
    let bare = Dictionary(uniqueKeysWithValues: reader.effectiveValues.map { ($0.key, $0.value) })
    let loaded = try LoadedConfiguration.load(path: nil, environment: environment)
    #expect(loaded.file == nil)
    for value in loaded.effectiveValues { #expect(bare[value.key] == value.value, "\(value.key)") }
    #expect(loaded.effectiveValues.count == bare.count)
  }

  @Test func theKeysThatAreFixedExist() throws {
    let known = Set(try LoadedConfiguration.load(path: nil, environment: environment).knownKeys.map(\.key))
    for key in [
      "app", "environment", "dataDirectory", "store.kind", "store.path", "retrieval.topK", "server.host",
      "server.port", "sources[].uri", "sources[].collection", "sources[].include", "sources[].exclude",
    ] {
      #expect(known.contains(key), "\(key)")
    }
  }

  @Test func placesFollowXDGVariables() throws {
    let plain = try LoadedConfiguration.load(path: nil, environment: environment).settings
    #expect(plain.dataDirectory == "/home/none/.local/share/quarry")
    #expect(plain.store.path == "/home/none/.local/share/quarry/quarry.sqlite")
    let moved = try LoadedConfiguration.load(
      path: nil, environment: ["HOME": "/home/none", "XDG_DATA_HOME": "/data"]
    ).settings
    #expect(moved.store.path == "/data/quarry/quarry.sqlite")
    let own = try LoadedConfiguration.load(
      path: nil, environment: ["HOME": "/home/none", "QUARRY_DATA_DIRECTORY": "/own"]
    ).settings
    #expect(own.store.path == "/own/quarry.sqlite")
    #expect(own.events.directory == "/own/archive")
  }

  @Test func flagsWinOverEnvironmentOverFile() throws {
    let file = FileManager.default.temporaryDirectory.appendingPathComponent("quarry-\(UUID().uuidString).yaml")
    try Data("retrieval: {topK: 6}\nserver: {port: 6}\napp: six\n".utf8).write(to: file)
    defer { try? FileManager.default.removeItem(at: file) }
    let settings = try LoadedConfiguration.load(
      path: file.path,
      environment: ["HOME": "/home/none", "QUARRY_RETRIEVAL_TOP_K": "7", "QUARRY_SERVER_PORT": "7"],
      flags: ["retrieval.topK": "8"]
    ).settings
    #expect(settings.retrieval.topK == 8)
    #expect(settings.server.port == 7)
    #expect(settings.app == "six")
  }

  /// Variables without `QUARRY_`, and what is said of them; nothing when they are right.
  @Test(arguments: [
    ("EMBEDDING_KIND=sagemaker EMBEDDING_DIMENSIONS=1024", "embedding.endpoint"),
    ("EMBEDDING_KIND=sagemaker EMBEDDING_ENDPOINT=e", "embedding.dimensions"),
    ("EMBEDDING_KIND=sagemaker EMBEDDING_ENDPOINT=e EMBEDDING_DIALECT=gpt-j", nil),
    (
      "EMBEDDING_KIND=sagemaker EMBEDDING_ENDPOINT=e EMBEDDING_DIALECT=own EMBEDDING_DIMENSIONS=64", "embedding.dialect"
    ),
    ("EMBEDDING_DIALECT=custom", "embedding.template"), ("EMBEDDING_DIALECT=custom EMBEDDING_TEMPLATE={", "is no JSON"),
    (
      #"EMBEDDING_DIALECT=custom EMBEDDING_TEMPLATE={"a":"{{texts}}"} EMBEDDING_RESPONSE_PATH=a[x]"#,
      "embedding.responsePath"
    ),
    (#"EMBEDDING_DIALECT=custom EMBEDDING_TEMPLATE={"a":"{{texts}}"} EMBEDDING_RESPONSE_PATH=a[*]"#, nil),
    ("GENERATION_KIND=sagemaker", "generation.endpoint"), ("GENERATION_KIND=sagemaker GENERATION_ENDPOINT=e", nil),
    (#"GENERATION_DIALECT=custom GENERATION_TEMPLATE={"a":"{{heat}}"}"#, "{{heat}}"),
    ("GENERATION_FREQUENCY_PENALTY=3", "generation.frequencyPenalty"),
    ("GENERATION_KIND=openai GENERATION_MODEL=m GENERATION_TOP_K=9", "generation.topK"),
    ("GENERATION_KIND=openai GENERATION_MODEL=m", nil),
  ])
  func saysWhatAModelNeeds(variables: String, complaint: String?) throws {
    var environment = environment
    for variable in variables.split(separator: " ") {
      let parts = variable.split(separator: "=", maxSplits: 1)
      environment["QUARRY_" + parts[0]] = String(parts[1])
    }
    if let complaint {
      let error = #expect(throws: (any Error).self) {
        _ = try LoadedConfiguration.load(path: nil, environment: environment)
      }
      #expect(error.map { "\($0)" }?.contains(complaint) == true, "\(String(describing: error))")
    } else {
      _ = try LoadedConfiguration.load(path: nil, environment: environment)
    }
  }

  @Test func penaltiesBecomeInferenceParameters() throws {
    let settings = try LoadedConfiguration.load(
      path: nil,
      environment: [
        "HOME": "/home/none", "QUARRY_GENERATION_FREQUENCY_PENALTY": "0.5",
        "QUARRY_GENERATION_PRESENCE_PENALTY": "-1", "QUARRY_GENERATION_REPETITION_PENALTY": "1.2",
      ]
    ).settings
    #expect(settings.generation.parameters.frequencyPenalty == 0.5)
    #expect(settings.generation.parameters.presencePenalty == -1)
    #expect(settings.generation.parameters.repetitionPenalty == 1.2)
  }
}

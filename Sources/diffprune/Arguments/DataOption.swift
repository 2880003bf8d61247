import ArgumentParser

/// For commands that look at images of the user's.
struct DataOption: ParsableArguments {
    @Option(name: .customLong("data"), help: ArgumentHelp("Folder or file of images.", valueName: "path"))
    var path: String?
}

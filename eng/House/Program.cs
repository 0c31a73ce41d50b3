// Prints how the package's source is built, as markdown that can be compared before and after a redesign. It goes by rules, not by
// the names of today's files.
using House;

if (args is [ImageToScore.Command, var model, var images, var seen])
{
    ImageToScore.Score(model, images, seen);
    return;
}

var root = AppContext.BaseDirectory;
while (!Directory.Exists(FolderGraph.PackageFolder(root)))
    root = Path.GetDirectoryName(root) ?? throw new DirectoryNotFoundException("This program is not in the repository whose package it measures.");
var files = SourceFile.All(root);

Console.WriteLine("# The house");
PrintSource();
PrintFolders();
PrintFamilies();
PrintImageToScore();
PrintLearningRate();

void PrintSource()
{
    Heading("1. The package's source");
    Table("files", "lines", "files under 30 lines", "files over 500 lines");
    Row(files.Count, files.Sum(file => file.Lines), files.Count(file => file.Lines < 30), files.Count(file => file.Lines > 500));
    Console.WriteLine();
    Table("largest files", "lines");
    foreach (var file in files.OrderByDescending(file => file.Lines).Take(5))
        Row(file.Path, file.Lines);
}

void PrintFolders()
{
    var graph = FolderGraph.Of(root);
    var floors = Floors.Read(root);
    Heading("2. Graph of folders");
    var errors = string.Join(", ", graph.Errors.CountBy(id => id).OrderBy(error => error.Key).Select(error => $"{error.Value} {error.Key}"));
    Console.WriteLine($"{graph.Folders.Count} folders, {graph.Arrows.Count} arrows. Errors of the compilation: {graph.Errors.Count}{(errors.Length > 0 ? $" ({errors})" : "")}.\n");
    Table("from", "to", "file pairs");
    foreach (var arrow in graph.Arrows)
        Row(arrow.From, arrow.To, arrow.Uses.Count);

    Console.WriteLine($"\n### Circles: {graph.Circles.Count}\n");
    foreach (var circle in graph.Circles)
        Console.WriteLine($"- {circle.Count} folders: {string.Join(", ", circle)}");

    var upward = floors.Upward(graph);
    Console.WriteLine($"\n### Upward arrows: {upward.Count}, in {upward.Sum(arrow => arrow.Uses.Count)} file pairs\n");
    Console.WriteLine($"The order of floors is {floors.Source}. Folders without a floor: {OrNone(graph.Folders.Where(folder => !floors.Has(folder)))}.\n");
    foreach (var arrow in upward)
    {
        Console.WriteLine($"- {arrow.From} -> {arrow.To}, {arrow.Uses.Count}:");
        foreach (var use in arrow.Uses.Take(5))
            Console.WriteLine($"  - {use.From} -> {use.To}");
    }
}

void PrintFamilies()
{
    Heading("3. What a family costs");
    Table("family", "files", "lines", "lines of plumbing", "share");
    foreach (var family in files.Where(file => FolderGraph.IsFamily(file.Folder)).GroupBy(file => file.Folder))
    {
        var (lines, plumbing) = (family.Sum(file => file.Lines), family.Where(file => file.IsPlumbing).Sum(file => file.Lines));
        Row(family.Key, family.Count(), lines, plumbing, $"{Math.Round(100.0 * plumbing / lines)} %");
    }
}

void PrintImageToScore()
{
    Heading("4. An image's way to its score");
    var run = ImageToScore.FilesOf(root);
    Console.WriteLine($"{run.Count} files.\n");
    PrintByFolder(run);
}

void PrintLearningRate()
{
    Heading("5. The learning rate's way");
    var naming = files.Where(file => file.NamesLearningRate).Select(file => file.Path).ToList();
    Console.WriteLine($"{naming.Count} files name it in code, {files.Count(file => file.MentionsLearningRate)} in code or comments.\n");
    PrintByFolder(naming);
}

static void PrintByFolder(IEnumerable<string> paths)
{
    foreach (var folder in paths.GroupBy(FolderGraph.FolderOf))
    {
        var names = folder.Select(path => path.StartsWith($"{folder.Key}/", StringComparison.Ordinal) ? path[(folder.Key.Length + 1)..] : path);
        Console.WriteLine($"- {folder.Key}, {folder.Count()}: {string.Join(", ", names)}");
    }
}

static string OrNone(IEnumerable<string> names) => string.Join(", ", names.DefaultIfEmpty("none"));

static void Heading(string text) => Console.WriteLine($"\n## {text}\n");

static void Table(params string[] header)
{
    Row(header);
    Row([.. header.Select(_ => "---")]);
}

static void Row(params object[] cells) => Console.WriteLine($"| {string.Join(" | ", cells)} |");

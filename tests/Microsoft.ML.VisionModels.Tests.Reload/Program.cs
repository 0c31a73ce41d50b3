// Reload MODEL.zip FOLDER: loads a model as a program does that knows ML.NET only, scores the folder's images, and prints all
// that the model adds. The contract tests compare this with what they see themselves.
using Microsoft.ML;
using Microsoft.ML.VisionModels.Tests.Contract;

var (model, folder) = (args[0], args[1]);
var context = new MLContext();
var transformer = context.Model.Load(model, out _);
var files = context.Data.LoadFromEnumerable(Directory.GetFiles(folder, "*.png", SearchOption.AllDirectories)
    .Order(StringComparer.Ordinal).Select(path => new ImageFile { Path = Path.GetRelativePath(folder, path), Text = Path.GetFileName(path) }));
var images = context.Transforms.LoadImages("Image", folder, nameof(ImageFile.Path)).Fit(files).Transform(files);
foreach (var line in ViewValues.Added(transformer.Transform(images), images.Schema))
    Console.WriteLine(line);

internal sealed class ImageFile
{
    public string Path { get; set; } = "";
    public string Text { get; set; } = "";
}

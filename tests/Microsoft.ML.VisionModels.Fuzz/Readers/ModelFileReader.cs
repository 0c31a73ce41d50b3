using System.Reflection;
using Microsoft.ML.Data;
using Microsoft.ML.Transforms.Image;

namespace Microsoft.ML.VisionModels.Fuzz.Readers;

/// <summary>Model files of every kind.</summary>
internal sealed class ModelFileReader : Reader
{
    public override string Name => "model.zip";

    public override IReadOnlyList<Type> Documented => [typeof(FormatException), typeof(CheckpointException)];

    // ML.NET wraps what its loaders throw. What it reads itself, its frame, is not this package's.
    public override bool Allows(Exception exception)
    {
        while (exception is TargetInvocationException { InnerException: { } inner })
            exception = inner;
        // A setting may name a column that the rows here do not have.
        return base.Allows(exception) || exception is ArgumentException { ParamName: "inputSchema" } || exception.StackTrace?.Contains("Microsoft.ML.VisionModels.Interop", StringComparison.Ordinal) != true;
    }

    public override void Prepare(string folder)
    {
        foreach (var file in Directory.GetFiles(TestFile("Models"), "*.zip"))
            Copy(folder, Path.GetFileName(file), file);
    }

    public override void Read(string folder)
    {
        var context = new MLContext(1);
        var model = context.Model.Load(FileOf(folder), out _);
        using var loaded = model as IDisposable;
        model.GetOutputSchema(context.Data.LoadFromEnumerable(Array.Empty<Row>()).Schema);
    }

    private sealed class Row
    {
        [ImageType(32, 32)]
        public MLImage? Image { get; set; }

        public string Text { get; set; } = "";
    }
}

using Microsoft.ML;
using Microsoft.ML.Data;
using Microsoft.ML.VisionModels;
using Samples;
using Spectre.Console;

namespace CleanFolderSample;

/// <summary>An image with its vector.</summary>
internal sealed class EmbeddedImage
{
    public string ImagePath { get; set; } = "";

    /// <summary>The name of the image's folder.</summary>
    public string Label { get; set; } = "";

    /// <summary>NaN where the image cannot be read.</summary>
    public float[] Embedding { get; set; } = [];
}

/// <summary>Turns images into vectors.</summary>
internal static class Embedder
{
    /// <summary>The network: anything that makes a column "Embedding" of the paths in "ImagePath", and NaN of images that cannot be read.</summary>
    private static ITransformer Network(MLContext mlContext, Settings settings, IDataView images, CancellationToken cancellation)
    {
        if (settings.Clip)
        {
            return mlContext.Transforms.ClipImageEmbedding(new ClipImageEmbeddingOptions
            {
                Checkpoint = settings.Checkpoint, ImageColumnName = "ImagePath", SkipInvalidImages = true, Device = settings.Device, CancellationToken = cancellation,
            }).Fit(images);
        }
        var options = new SslFeaturizerOptions
        {
            Method = settings.Checkpoint is null ? SslMethod.SimClr : SslMethod.None,
            Checkpoint = settings.Checkpoint,
            ImageColumnName = "ImagePath",
            SkipInvalidImages = true,
            ImageSize = settings.Checkpoint is null ? 32 : null,
            BatchSize = 64,
            Epochs = settings.Epochs,
            Device = settings.Device,
            CancellationToken = cancellation,
        };
        return TrainingScreen.Show(options, () => mlContext.Transforms.SslFeaturizer(options).Fit(images));
    }

    /// <summary>The images with their vectors, in memory: each goes through the network once, whatever is then asked of them.</summary>
    public static IDataView Embed(MLContext mlContext, Settings settings, IReadOnlyList<string> paths, CancellationToken cancellation)
    {
        var images = mlContext.Data.LoadFromEnumerable(paths.Select(path => new Image { ImagePath = path, Label = Path.GetFileName(Path.GetDirectoryName(path)) ?? "" }));
        var model = Network(mlContext, settings, images, cancellation);
        using var network = model as IDisposable;
        var embedded = new List<EmbeddedImage>(paths.Count);
        AnsiConsole.Progress().Start(screen =>
        {
            var bar = screen.AddTask($"{paths.Count:N0} images through the network", maxValue: paths.Count);
            foreach (var image in mlContext.Data.CreateEnumerable<EmbeddedImage>(model.Transform(images), reuseRowObject: false))
            {
                cancellation.ThrowIfCancellationRequested();
                embedded.Add(image);
                bar.Increment(1);
            }
        });
        var schema = SchemaDefinition.Create(typeof(EmbeddedImage));
        schema[nameof(EmbeddedImage.Embedding)].ColumnType = new VectorDataViewType(NumberDataViewType.Single, embedded[0].Embedding.Length);
        return mlContext.Data.LoadFromEnumerable(embedded, schema);
    }

    private sealed class Image
    {
        public string ImagePath { get; set; } = "";
        public string Label { get; set; } = "";
    }
}

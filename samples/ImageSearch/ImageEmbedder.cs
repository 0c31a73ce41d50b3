using Microsoft.ML;
using Microsoft.ML.VisionModels;

namespace ImageSearchSample;

/// <summary>CLIP's vision tower.</summary>
internal sealed class ImageEmbedder : IDisposable
{
    private readonly MLContext _mlContext;
    private readonly ImageFeaturizerTransformer _model;

    public ImageEmbedder(MLContext mlContext, string checkpoint, string device)
    {
        _mlContext = mlContext;
        var options = new ClipImageEmbeddingOptions
        {
            Checkpoint = checkpoint,
            ImageColumnName = nameof(Image.ImagePath),
            SkipInvalidImages = true,
            Device = device,
        };
        _model = mlContext.Transforms.ClipImageEmbedding(options).Fit(Rows([]));     // only loads the network: no row is looked at
    }

    /// <summary>The images' vectors under their paths. The paths are read one after the other, as the network gets to them.</summary>
    public EmbeddingIndex Embed(IEnumerable<string> paths, out IReadOnlyList<string> unreadable) =>
        EmbeddingIndex.FromRows(_model.Transform(Rows(paths)), out unreadable);

    public void Dispose() => _model.Dispose();

    private IDataView Rows(IEnumerable<string> paths) => _mlContext.Data.LoadFromEnumerable(paths.Select(path => new Image { ImagePath = path }));

    private sealed class Image
    {
        public string ImagePath { get; set; } = "";
    }
}

using ImageSearchSample;
using Microsoft.ML;
using Microsoft.ML.VisionModels;
using Samples;
using Spectre.Console;

return SampleProgram.Run<Settings>(args, (settings, cancellation) =>
{
    var mlContext = new MLContext(seed: 1);

    // The network and the images: yours, or digits and a small CLIP that is taught them now.
    var (checkpoint, data) = settings.Checkpoint is { } published
        ? (published, settings.Data!)
        : DigitsClip.Train(mlContext, Settings.Out, settings.Device, cancellation);
    if (settings.Checkpoint is null)
        AnsiConsole.MarkupLineInterpolated($"Next time without training: --data {data} --checkpoint {checkpoint}");

    // What turns words into vectors. Before the images: a tokenizer that is missing should not be found out after an hour of work.
    using var words = new ClipTextEmbeddingGenerator(checkpoint, settings.Tokenizer, settings.Device);

    // The images' vectors, each of which is made once.
    EmbeddingIndex index;
    using (var embedder = new ImageEmbedder(mlContext, checkpoint, settings.Device))
        index = ImageIndex.Update(settings.Index, ImageFiles.Find(data), embedder, cancellation);
    if (cancellation.IsCancellationRequested)
        return;

    // The page, until Ctrl+C.
    using IHost site = SearchSite.Build(data, index, words, settings.Port);
    site.Start();
    AnsiConsole.MarkupLineInterpolated($"[bold]{index.Count:N0} images[/]: search them at [link]http://localhost:{settings.Port}[/]. Ctrl+C ends.");
    site.WaitForShutdown();
});

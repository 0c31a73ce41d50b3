using Microsoft.Extensions.ObjectPool;
using Microsoft.ML;
using Microsoft.ML.Data;
using Microsoft.ML.VisionModels;
using Samples;

namespace WebServiceSample;

/// <summary>One model, and as many prediction engines over it as there are requests at once: an engine serves one thread at a time, the model all of them.</summary>
internal sealed class ImageLabeler : IDisposable
{
    // More at once would only share the processors among more images in memory.
    private static readonly int s_atOnce = Environment.ProcessorCount;

    private readonly SemaphoreSlim _turns = new(s_atOnce);
    private readonly ITransformer _model;
    private readonly IReadOnlyList<string> _labels;
    private readonly ObjectPool<PredictionEngine<Input, Output>> _engines;

    /// <param name="mlContext">Loads the model and makes engines.</param>
    /// <param name="path">A model that a sample of classification saved.</param>
    public ImageLabeler(MLContext mlContext, string path)
    {
        _model = mlContext.Model.Load(path, out _);
        _labels = ((IEnumerable<ITransformer>)_model).OfType<ClassifierTransformer>().Single().Labels;
        _engines = new DefaultObjectPoolProvider { MaximumRetained = s_atOnce }.Create(new Engines(mlContext, _model));
    }

    /// <summary>The classes of an image and their scores, the likeliest first.</summary>
    /// <param name="image">A whole file: JPEG, PNG and so on.</param>
    /// <param name="cancellation">Ends the wait for a turn: whoever has gone is not worked for.</param>
    /// <exception cref="ImageDecodeException">It is no image that can be read.</exception>
    public async Task<IReadOnlyList<Label>> LabelAsync(byte[] image, CancellationToken cancellation)
    {
        await _turns.WaitAsync(cancellation);
        try
        {
            return await Task.Run(() => Score(image), cancellation);
        }
        finally
        {
            _turns.Release();
        }
    }

    /// <summary>Frees the model, when the requests that are being answered have ended; no engine does so.</summary>
    public void Dispose()
    {
        ((IDisposable)_engines).Dispose();
        ((IDisposable)_model).Dispose();
    }

    private Label[] Score(byte[] encoded)
    {
        var engine = _engines.Get();
        try
        {
            return [.. _labels.Zip(engine.Predict(new() { Image = encoded }).Score, (label, score) => new Label(label, score)).OrderByDescending(label => label.Score)];
        }
        finally
        {
            _engines.Return(engine);
        }
    }

    public sealed record Label(string Name, float Score);

    /// <summary>One image, under the name of the column that the model was trained on: paths of files there, the bytes of one here.</summary>
    private sealed class Input
    {
        [ColumnName(nameof(ModelInput.ImagePath))]
        public byte[] Image { get; set; } = [];

        public string Label { get; set; } = "";
    }

    /// <summary>What the model says of it.</summary>
    private sealed class Output
    {
        public float[] Score { get; set; } = [];
    }

    private sealed class Engines(MLContext mlContext, ITransformer model) : PooledObjectPolicy<PredictionEngine<Input, Output>>
    {
        // An engine that owned the model would dispose of it with itself, under all others.
        public override PredictionEngine<Input, Output> Create() =>
            mlContext.Model.CreatePredictionEngine<Input, Output>(model, new PredictionEngineOptions { OwnsTransformer = false });

        public override bool Return(PredictionEngine<Input, Output> engine) => true;
    }
}

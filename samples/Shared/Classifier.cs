using Microsoft.ML;

namespace Samples;

/// <summary>Classifies one image at a time with a saved model, as an application would.</summary>
internal sealed class Classifier(MLContext mlContext, string modelPath) : IDisposable
{
    private readonly PredictionEngine<ModelInput, ModelOutput> _engine =
        mlContext.Model.CreatePredictionEngine<ModelInput, ModelOutput>(mlContext.Model.Load(modelPath, out _));

    public ModelOutput Classify(string imagePath) => _engine.Predict(new ModelInput { ImagePath = imagePath });

    public void Dispose() => _engine.Dispose();
}

/// <summary>One image, as the model takes it.</summary>
public sealed class ModelInput
{
    /// <summary>The image's file, of any size and any format that decodes.</summary>
    public string ImagePath { get; set; } = "";

    /// <summary>Its class; empty for an image that is to be classified.</summary>
    public string Label { get; set; } = "";
}

/// <summary>What the model says of one image.</summary>
public sealed class ModelOutput
{
    /// <summary>The most probable class.</summary>
    public string Prediction { get; set; } = "";

    /// <summary>The probability of each class, in the order of the model's labels.</summary>
    public float[] Score { get; set; } = [];

    /// <summary>Where the answer comes from: a map over the image, row by row, whose largest value is 1.</summary>
    public float[] Attention { get; set; } = [];
}

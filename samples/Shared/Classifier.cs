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

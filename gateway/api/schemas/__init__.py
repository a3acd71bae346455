"""The v1 request and response schemas. English names, the official Vietnamese term in each description.

They are the outer vocabulary: `contracts.model` may change without changing them, and the committed OpenAPI document
is made from them. What a request says is turned into model values here; what the model says into a response likewise.
"""

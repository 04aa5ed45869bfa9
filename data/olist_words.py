"""Schema, categories, places and phrases that make_olist.py draws from."""

from __future__ import annotations

# The columns of the real table, in its order and spelling.
# fmt: off
COLUMNS = [
    "order_id", "customer_id", "order_status", "order_purchase_timestamp", "order_approved_at",
    "order_delivered_carrier_date", "order_delivered_customer_date", "order_estimated_delivery_date",
    "payment_sequential", "payment_type", "payment_installments", "payment_value", "customer_unique_id",
    "customer_zip_code_prefix", "customer_city", "customer_state", "order_item_id", "product_id",
    "seller_id", "shipping_limit_date", "price", "freight_value", "product_category_name",
    "product_name_lenght", "product_description_lenght", "product_photos_qty", "product_weight_g",
    "product_length_cm", "product_height_cm", "product_width_cm", "review_score", "review_comment_message",
    "product_category_name_english",
]
# fmt: on

# Portuguese name, English name ("" as in the real table: never translated), liking, typical price, grams.
CATEGORIES = [
    ("cama_mesa_banho", "bed_bath_table", -0.3, 85, 1800),
    ("beleza_saude", "health_beauty", 0.3, 75, 500),
    ("moveis_decoracao", "furniture_decor", -0.4, 80, 2600),
    ("esporte_lazer", "sports_leisure", 0.1, 80, 1000),
    ("informatica_acessorios", "computers_accessories", -0.2, 90, 500),
    ("utilidades_domesticas", "housewares", 0.1, 60, 1700),
    ("relogios_presentes", "watches_gifts", 0.0, 140, 350),
    ("ferramentas_jardim", "garden_tools", 0.0, 75, 1600),
    ("automotivo", "auto", 0.1, 85, 1500),
    ("brinquedos", "toys", 0.2, 80, 1200),
    ("telefonia", "telephony", -0.3, 35, 250),
    ("cool_stuff", "cool_stuff", 0.3, 110, 1400),
    ("perfumaria", "perfumery", 0.3, 90, 400),
    ("bebes", "baby", 0.0, 95, 2200),
    ("papelaria", "stationery", 0.3, 60, 1100),
    ("eletronicos", "electronics", -0.1, 35, 400),
    ("moveis_escritorio", "office_furniture", -0.9, 150, 9000),
    ("livros_interesse_geral", "books_general_interest", 0.8, 50, 600),
    ("pet_shop", "pet_shop", 0.3, 70, 1900),
    ("pc_gamer", "", 0.0, 160, 900),
]
# How often each category is bought, in the order above.
CATEGORY_WEIGHTS = [12, 10, 9, 9, 7, 7, 5, 5, 4, 4, 4, 4, 4, 4, 3, 3, 2, 2, 2, 0.2]

# State, share of the customers, first zip prefix, mean days on the road, cities.
STATES = [
    ("SP", 43, 1000, 5, ["sao paulo", "campinas", "guarulhos", "santos"]),
    ("RJ", 14, 20000, 9, ["rio de janeiro", "niteroi", "petropolis"]),
    ("MG", 11, 30000, 8, ["belo horizonte", "uberlandia", "juiz de fora"]),
    ("RS", 6, 90000, 10, ["porto alegre", "caxias do sul", "pelotas"]),
    ("PR", 5, 80000, 8, ["curitiba", "londrina", "maringa"]),
    ("SC", 4, 88000, 9, ["florianopolis", "joinville", "blumenau"]),
    ("BA", 4, 40000, 13, ["salvador", "feira de santana"]),
    ("GO", 3, 74000, 10, ["goiania", "anapolis"]),
    ("PE", 3, 50000, 13, ["recife", "olinda"]),
    ("CE", 3, 60000, 15, ["fortaleza", "sobral"]),
    ("PA", 2, 66000, 18, ["belem", "santarem"]),
    ("AM", 2, 69000, 20, ["manaus", "parintins"]),
]
BAD = ["Chegou tarde", "Ainda não recebi", "Veio quebrado", "Péssimo atendimento", "Produto errado"]
GOOD = ["Chegou antes do prazo", "Ótimo produto", "Muito bom", "Entrega rápida", "Gostei bastante"]
JOINTS = [", ", ". ", "!\n", " e ", "... "]
BAD_ENDS = ["quero meu dinheiro de volta", "ninguém responde", "não recomendo", 'nota "zero"', "triste"]
GOOD_ENDS = ["recomendo a loja", "parabéns", "vou comprar de novo", "tudo certo", "obrigada"]

PAYMENTS = ["credit_card", "boleto", "voucher", "debit_card"]
UNDELIVERED = ["shipped", "canceled", "invoiced", "processing", "unavailable", "approved"]
UNDELIVERED_SHARES = [0.484, 0.22, 0.145, 0.145, 0.004, 0.002]
